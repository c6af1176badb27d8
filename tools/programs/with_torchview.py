# pip: torchview graphviz
"""The graph of a network's modules and tensors."""

import torch
from torchview import draw_graph

net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
graph = draw_graph(net, input_size=(3, 4), expand_nested=True)
print(graph.num_tensors if hasattr(graph, "num_tensors") else "", len(graph.edge_list))
print("\n".join(line for line in str(graph.visual_graph).splitlines() if "->" in line))
