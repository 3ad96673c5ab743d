"""Changes of the specs of our kinds, made from their schemas: each property, alone and in a row."""
