"""The report on availability: numbers for programs, tables for spreadsheets, one page for people. Pure."""
