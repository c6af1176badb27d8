# pip: torcheval typing_extensions
"""Metrics of classification and regression, by functions and by objects that collect them."""

import torch
from torcheval.metrics import Mean, MulticlassAccuracy, MulticlassF1Score
from torcheval.metrics.functional import binary_auroc, multiclass_accuracy, r2_score

torch.manual_seed(0)
scores, labels = torch.randn(50, 4), torch.randint(0, 4, (50,))
print(multiclass_accuracy(scores, labels), r2_score(scores[:, 0], scores[:, 1]))
print(binary_auroc(torch.rand(50), (torch.rand(50) > 0.5).long()))
collected = [MulticlassAccuracy(), MulticlassF1Score(num_classes=4, average="macro"), Mean()]
for part in range(5):
    piece = slice(10 * part, 10 * part + 10)
    collected[0].update(scores[piece], labels[piece])
    collected[1].update(scores[piece], labels[piece])
    collected[2].update(scores[piece])
print(*[metric.compute() for metric in collected])
