# pip: poutyne torchmetrics lightning-utilities
"""A training loop in the style of Keras."""

import torch
from poutyne import Model, set_seeds

set_seeds(0)
x = torch.randn(64, 4)
y = (x.sum(1) > 0).long()
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
model = Model(net, "adam", "cross_entropy", batch_metrics=["accuracy"], device="cpu")
for row in model.fit(x, y, epochs=3, batch_size=16, validation_data=(x, y), verbose=False):
    print(row["epoch"], row["loss"], row["acc"], row["val_acc"])
print(model.evaluate(x, y, batch_size=32, verbose=False), model.predict(x[:2], verbose=False).tolist())
