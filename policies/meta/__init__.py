"""The slow loop: what the learner keeps, proposes and lets pass."""
