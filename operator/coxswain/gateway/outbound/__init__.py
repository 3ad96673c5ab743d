"""The one way to the outside: whatever leaves the platform's network is dialled here."""
