"""The model door: calls in the format of OpenAI, answered by the provider that the run names."""
