"""Read the log of racoon: lines, messages and typed events. Pure: no files, sockets, threads or clock."""
