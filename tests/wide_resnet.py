"""A Wide ResNet in PyTorch, for what is compared with it: core's fixtures (wrn-fixtures.py) and timings (bench-torch.py)."""

import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, side):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        changes = c_in != c_out or stride != 1
        self.shortcut = nn.Conv2d(c_in, c_out, side, stride, side // 2, bias=False) if changes else None

    def forward(self, x):
        active = F.relu(self.norm1(x))
        y = self.conv2(F.relu(self.norm2(self.conv1(active))))
        return y + (self.shortcut(active) if self.shortcut else x)


class WideResNet(nn.Module):
    def __init__(self, depth, width, side, channels=3, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        blocks, c_in = [], 16
        for group in range(3):
            c_out = 16 * width * 2**group
            for block in range((depth - 4) // 6):
                blocks.append(Block(c_in, c_out, 2 if group > 0 and block == 0 else 1, side))
                c_in = c_out
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.BatchNorm2d(c_in)
        self.dense = nn.Linear(c_in, classes)

    def forward(self, x):
        x = self.conv(x)
        for block in self.blocks:
            x = block(x)
        return self.dense(F.relu(self.norm(x)).mean((2, 3)))
