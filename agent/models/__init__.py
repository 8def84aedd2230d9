"""The language engines: any OpenAI-compatible chat model, or the extractive one, behind one protocol."""
