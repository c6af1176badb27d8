# pip: pytorch-metric-learning scikit-learn tqdm
"""Losses and miners for embeddings."""

import torch
from pytorch_metric_learning import losses, miners

torch.manual_seed(0)
x, labels = torch.randn(32, 8, requires_grad=True), torch.randint(4, (32,))
pairs = miners.MultiSimilarityMiner()(x, labels)
for loss in (losses.TripletMarginLoss(), losses.ContrastiveLoss(), losses.NTXentLoss(), losses.MultiSimilarityLoss()):
    value = loss(x, labels, pairs)
    print(type(loss).__name__, value.item(), torch.autograd.grad(value, x)[0].abs().sum().item())
