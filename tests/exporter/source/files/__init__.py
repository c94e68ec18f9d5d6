"""Stories of the file system, one file each; nobody sleeps, tests read by hand."""
