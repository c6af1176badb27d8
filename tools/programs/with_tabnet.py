# pip: pytorch-tabnet scikit-learn scipy tqdm
"""TabNet on a small table."""

import numpy as np
from pytorch_tabnet.tab_model import TabNetClassifier
from sklearn.datasets import make_classification

x, y = make_classification(256, 8, random_state=0)
model = TabNetClassifier(n_d=4, n_a=4, n_steps=2, seed=0, verbose=0)
model.fit(x.astype(np.float32), y, max_epochs=3, batch_size=64, virtual_batch_size=32, drop_last=False)
print(model.predict_proba(x.astype(np.float32)).mean(0).round(3).tolist(), model.history["loss"])
