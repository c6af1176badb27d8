"""Recurrent layers, attention and a small GPT. Start at sequences()."""

from .case import Case

STEPS = 50

RECURRENT = """
m = torch.nn.{kind}({width}, {width})
x = torch.rand({steps}, {batch}, {width})
def train():
    m.zero_grad()
    m(x)[0].sum().backward()
"""

ATTENTION = """
F = torch.nn.functional
q, k, v = (torch.rand({batch}, 4, {tokens}, 64).requires_grad_() for _ in range(3))
g = torch.rand({batch}, 4, {tokens}, 64)
"""

GPT = """
nn, F = torch.nn, torch.nn.functional

class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = (p.view(n, t, self.heads, -1).transpose(1, 2) for p in self.qkv(self.norm1(x)).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(n, t, width))
        return x + self.mlp(self.norm2(x))

class GPT(nn.Module):
    def __init__(self, symbols, width, heads, layers, context):
        super().__init__()
        self.token, self.place = nn.Embedding(symbols, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, symbols)

    def forward(self, x):
        x = self.token(x) + self.place(torch.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(x)))

m = GPT(65, 128, 4, 4, 128)
opt = torch.optim.AdamW(m.parameters(), lr=1e-3)
x, y = torch.randint(65, (8, 128)), torch.randint(65, (8, 128))
def step():
    opt.zero_grad()
    F.cross_entropy(m(x).view(-1, 65), y.view(-1)).backward()
    opt.step()
"""


def recurrent(kind: str, width: int, batch: int) -> list[Case]:
    setup = RECURRENT.format(kind=kind, width=width, batch=batch, steps=STEPS)
    name = f"nn.{kind} {width} wide, batch {batch}, {STEPS} steps"
    return [
        Case(f"{name}, train", "train()", setup, 2),
        Case(f"{name}, no grad", "m(x)", "torch.set_grad_enabled(False)\n" + setup),
    ]


def attention(tokens: int, causal: bool) -> list[Case]:
    setup = ATTENTION.format(batch=2048 // tokens // 2 or 1, tokens=tokens)
    call = f"F.scaled_dot_product_attention(q, k, v, is_causal={causal})"
    name = f"attention, {tokens} tokens{', causal' if causal else ''}"
    return [
        Case(f"{name}, no grad", f"with torch.no_grad(): {call}", setup, 1.2),
        Case(f"{name}, forward and backward", f"{call}.backward(g)", setup, 1.2),
    ]


def activation(name: str, call: str) -> Case:
    setup = "F = torch.nn.functional; x = torch.rand(1024, 512).requires_grad_(); g = torch.rand(1024, 512)"
    return Case(f"{name} of 1024 x 512, forward and backward", f"{call}.backward(g)", setup, 1.2)


def sequences() -> list[Case]:
    return [
        *(
            case
            for kind in ("LSTM", "GRU", "RNN")
            for width in (64, 128, 256)
            for batch in (1, 32)
            for case in recurrent(kind, width, batch)
        ),
        *(case for tokens in (64, 256, 1024) for causal in (False, True) for case in attention(tokens, causal)),
        activation("softmax", "F.softmax(x, -1)"),
        activation("GELU", "F.gelu(x)"),
        activation("GELU by tanh", "F.gelu(x, approximate='tanh')"),
        Case("GPT, 4 layers, 128 wide, batch 8 of 128, AdamW step", "step()", GPT, 1.5),
    ]
