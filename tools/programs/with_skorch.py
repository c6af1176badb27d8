# pip: skorch tabulate scikit-learn tqdm scipy
"""A network as a scikit-learn estimator."""

import numpy as np
import torch
from sklearn.datasets import make_classification
from skorch import NeuralNetClassifier

x, y = make_classification(200, 8, random_state=0)
torch.manual_seed(0)
net = NeuralNetClassifier(
    torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2), torch.nn.Softmax(dim=-1)),
    max_epochs=5,
    lr=0.1,
    verbose=0,
    train_split=None,
    iterator_train__shuffle=True,
)
net.fit(x.astype(np.float32), y.astype(np.int64))
print([round(loss, 5) for loss in net.history[:, "train_loss"]], net.score(x.astype(np.float32), y))
