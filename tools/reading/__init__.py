"""What replies mean: the readers of each source's formats, and the words, dates and names they share."""
