# pip: torch-geometric aiohttp psutil xxhash requests jinja2 pyparsing
"""Graph networks on a ring of nodes."""

import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn import GATConv, GCNConv, GINConv, SAGEConv, global_mean_pool

torch.manual_seed(0)
edges = torch.tensor([[0, 1, 2, 3, 1, 2, 3, 0], [1, 2, 3, 0, 0, 1, 2, 3]])
x = torch.randn(4, 3)
batch = Batch.from_data_list([Data(x=x, edge_index=edges), Data(x=2 * x, edge_index=edges)])
for layer in (GCNConv(3, 4), GATConv(3, 4, heads=2), SAGEConv(3, 4), GINConv(torch.nn.Linear(3, 4))):
    out = global_mean_pool(layer(batch.x, batch.edge_index), batch.batch)
    out.sum().backward()
    print(type(layer).__name__, out.shape, sum(p.grad.abs().sum().item() for p in layer.parameters()))
