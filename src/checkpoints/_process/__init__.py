"""The process: its exit, forks, crashes, variables, imports, origins of saves."""
