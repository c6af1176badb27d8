# pip: pytorch-msssim
"""Structural similarity of images, as a loss."""

import torch
from pytorch_msssim import SSIM, ms_ssim, ssim

torch.manual_seed(0)
a = torch.rand(2, 3, 176, 176)
b = (a + 0.1 * torch.rand(2, 3, 176, 176)).clamp(0, 1).requires_grad_()
print(ssim(a, b, data_range=1, size_average=False).tolist(), ms_ssim(a, b, data_range=1).item())
(1 - SSIM(data_range=1)(a, b)).backward()
print(b.grad.abs().sum().item())
