# pip: torchinfo
"""The summary of a convolutional network."""

import torch
from torchinfo import summary

net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3),
    torch.nn.ReLU(),
    torch.nn.MaxPool2d(2),
    torch.nn.Flatten(),
    torch.nn.Linear(8 * 13 * 13, 10),
)
result = summary(
    net, input_size=(2, 1, 28, 28), verbose=0, col_names=("input_size", "output_size", "num_params", "mult_adds")
)
print(result.total_params, result.total_mult_adds)
print(str(result))
