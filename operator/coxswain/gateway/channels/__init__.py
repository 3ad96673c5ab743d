"""The way in from outside: webhooks are judged and recorded, pages are looked at; nothing is decided here."""
