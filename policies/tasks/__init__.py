"""Simulators of the tasks, vectorised over episodes; the randomness is handed in. No gymnasium, no file."""
