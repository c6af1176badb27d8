"""The base of function transforms, below autograd and func: running transforms, vmap's levels, Functions under vmap."""
