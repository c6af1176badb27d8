# pip: torchmetrics lightning-utilities
"""Metrics of classification and regression."""

import torch
import torchmetrics

torch.manual_seed(0)
scores, labels = torch.randn(64, 5).softmax(1), torch.randint(5, (64,))
metrics = torchmetrics.MetricCollection(
    [
        torchmetrics.Accuracy(task="multiclass", num_classes=5),
        torchmetrics.F1Score(task="multiclass", num_classes=5, average="macro"),
        torchmetrics.AUROC(task="multiclass", num_classes=5),
        torchmetrics.ConfusionMatrix(task="multiclass", num_classes=5),
    ]
)
for part in range(4):
    metrics.update(scores[part::4], labels[part::4])
for name, value in sorted(metrics.compute().items()):
    print(name, value.tolist())
x, y = torch.randn(100), torch.randn(100)
print(
    torchmetrics.functional.mean_squared_error(x, y).item(),
    torchmetrics.functional.r2_score(x, y).item(),
    torchmetrics.functional.pearson_corrcoef(x, y).item(),
)
