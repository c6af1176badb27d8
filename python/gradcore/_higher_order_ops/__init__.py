"""Operations that take functions, by torch's private names of their modules."""

from .associative_scan import associative_scan as associative_scan
