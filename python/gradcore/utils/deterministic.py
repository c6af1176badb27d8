"""torch.utils.deterministic: whether memory that nobody has written yet is filled."""

from __future__ import annotations

fill_uninitialized_memory = True  # kept, and changes nothing: use_deterministic_algorithms() fills no memory here
