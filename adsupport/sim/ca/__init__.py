"""The Channel Access server: channels, circuits to clients, the wire's types."""
