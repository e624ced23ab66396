"""What belongs to the process: its end, forks, crashes, variables, origins of saves."""
