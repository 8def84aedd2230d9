"""Dossier's house: the graph, its rooms, and the rules they keep."""
