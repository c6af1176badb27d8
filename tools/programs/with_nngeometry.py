# pip: nngeometry
"""Fisher information of a small network: dense, diagonal, by blocks and by Kronecker factors."""

import torch
from nngeometry.metrics import FIM
from nngeometry.object import PMatBlockDiag, PMatDense, PMatDiag, PMatKFAC
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
loader = DataLoader(TensorDataset(torch.randn(12, 1, 4, 4), torch.randint(0, 3, (12,))), batch_size=6)
for kind in (PMatDense, PMatDiag, PMatBlockDiag, PMatKFAC):
    fisher = FIM(model=model, loader=loader, representation=kind, variant="classif_logits", device="cpu")
    print(kind.__name__, fisher.trace().item())
