"""What transforms of functions rest on, below both autograd and func: which of them run, vmap's levels, Functions in them."""
