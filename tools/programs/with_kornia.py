# pip: kornia kornia-rs packaging
"""Image filters and geometry with gradients."""

import kornia
import torch

torch.manual_seed(0)
image = torch.rand(1, 3, 16, 16, requires_grad=True)
blurred = kornia.filters.gaussian_blur2d(image, (3, 3), (1.5, 1.5))
turned = kornia.geometry.rotate(blurred, torch.tensor([30.0]))
turned.sum().backward()
print(
    blurred.sum().item(),
    turned.sum().item(),
    image.grad.sum().item(),
    kornia.color.rgb_to_hsv(image.detach()).sum().item(),
)
