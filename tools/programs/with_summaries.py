# pip: torchsummary pytorch-model-summary thop
"""Three packages that summarise a network or count its operations."""

import torch
from pytorch_model_summary import summary as model_summary
from thop import profile
from torchsummary import summary

net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 8, 3, padding=1),
    torch.nn.BatchNorm2d(8),
    torch.nn.ReLU(),
    torch.nn.Flatten(),
    torch.nn.Linear(512, 10),
)
summary(net, (3, 8, 8), device="cpu")
print(model_summary(net, torch.zeros(1, 3, 8, 8), show_input=True))
print(profile(net, inputs=(torch.zeros(1, 3, 8, 8),), verbose=False))
