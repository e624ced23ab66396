"""Which calls are saved: names, rules, sessions, and rules written as text."""
