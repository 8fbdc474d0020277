"""Maps, before and after they are created: Python collections over the kernel's.

From the bottom up: ``constants`` and ``info`` have the kernel's numbers and facts; ``opened`` is a
map by its descriptor, whoever owns it, and ``failures`` what its errors mean; ``elements`` makes
every call that passes keys or values to the kernel, ``batch`` and ``bulk`` move and decode many of
them at once; ``base``, ``typed`` and ``keyed`` are what the
collections share; a module for each family of them; each with the functions that generated modules
declare them with, of ``member``'s making; ``spec`` is a map before it is created.
"""
