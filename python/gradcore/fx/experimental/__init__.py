"""What programs ask of torch.fx.experimental: whether they are being traced. They are not."""
