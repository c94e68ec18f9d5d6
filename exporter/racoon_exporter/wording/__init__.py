"""How things are said and shown, for all that shows them: the page, the report, `top`, `doctor`, `explain`."""
