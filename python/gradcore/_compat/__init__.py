"""What programs written for torch ask for beside tensors: legacy constructors, global switches, the proxy, refusals."""
