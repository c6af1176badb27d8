# pip: monai
"""Losses and a network for medical images."""

import torch
from monai.losses import DiceLoss, FocalLoss
from monai.networks.nets import UNet

torch.manual_seed(0)
net = UNet(spatial_dims=2, in_channels=1, out_channels=2, channels=(4, 8), strides=(2,))
x = torch.randn(2, 1, 16, 16)
target = (x > 0).long()
out = net(x)
loss = DiceLoss(softmax=True, to_onehot_y=True)(out, target) + FocalLoss(to_onehot_y=True)(out, target)
loss.backward()
print(loss.item(), sum(p.grad.abs().sum().item() for p in net.parameters() if p.grad is not None))
