"""Models of mlpcore for other programs: a writer for each format."""
