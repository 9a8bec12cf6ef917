"""The API server: from bytes to the verb and back."""
