"""Loading data, distributions, files. Start at data()."""

from .case import Case

TENSORS = """
data = torch.utils.data
x, y = torch.rand(10_000, 32), torch.arange(10_000)
loader = data.DataLoader(data.TensorDataset(x, y), batch_size=64{options})
def epoch():
    for batch in loader: pass
"""
ITEMS = """
data = torch.utils.data
class Items(data.Dataset):
    def __len__(self):
        return 2_000
    def __getitem__(self, i):
        return rows[i], i
rows = list(torch.rand(2_000, 32))
loader = data.DataLoader(Items(), batch_size=64)
def epoch():
    for batch in loader: pass
"""
NORMAL = "n = {n}; d = torch.distributions.Normal(torch.zeros(n), torch.ones(n){options}); x = torch.rand(n)"
CATEGORICAL = "n = {n}; d = torch.distributions.Categorical(logits=torch.rand(n, 10){options}); x = torch.zeros(n, dtype=torch.int64)"
UNCHECKED = ", validate_args=False"
FILE = """
import os, tempfile
state = {state}
folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "file.pt")
torch.save(state, path)
"""
LARGE = "{'weight': torch.rand(25_000_000)}"
MANY = "{str(i): torch.rand(4) for i in range(1_000)}"


def distributions() -> list[Case]:
    """Batches of 1 and 10,000, with and without the check of arguments."""
    rows = []
    for n in (1, 10_000):
        normal, categorical = NORMAL.format(n=n, options=UNCHECKED), CATEGORICAL.format(n=n, options=UNCHECKED)
        rows += [
            Case(f"Normal.log_prob, batch {n:,}", "d.log_prob(x)", normal),
            Case(f"Normal.log_prob, batch {n:,}, checked", "d.log_prob(x)", NORMAL.format(n=n, options="")),
            Case(f"Normal.rsample, batch {n:,}", "d.rsample()", normal),
            Case(f"Categorical.log_prob, batch {n:,}", "d.log_prob(x)", categorical),
            Case(f"Categorical.sample, batch {n:,}", "d.sample()", categorical),
        ]
    return rows


def data() -> list[Case]:
    return [
        Case("DataLoader over 10,000 x 32, batches of 64", "epoch()", TENSORS.format(options=""), 20),
        Case("the same, shuffled", "epoch()", TENSORS.format(options=", shuffle=True"), 20),
        Case("DataLoader over 2,000 items in Python", "epoch()", ITEMS),
        *distributions(),
        Case("save 100 MB", "torch.save(state, path)", FILE.format(state=LARGE), large=True),
        Case("load 100 MB", "torch.load(path)", FILE.format(state=LARGE), large=True),
        Case("save 1,000 tensors", "torch.save(state, path)", FILE.format(state=MANY)),
        Case("load 1,000 tensors", "torch.load(path)", FILE.format(state=MANY)),
    ]
