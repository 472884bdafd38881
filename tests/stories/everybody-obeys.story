# A word is banned, and the index obeys. What it lists does not name it; the files are still shared.

> swarm napster peers=12 seed=4 items=30
  13 peers, 0 links
> quiet 1
> ask p001 blue train
     1.000  ask 1: p001 wants blue train
> quiet 2
> collude role=index blue train
     3.000  collude 1: index
> ask p001 blue train
     3.000  ask 2: p001 wants blue train
> quiet 2
> defect role=index
     5.000  defect 1: index
> ask p001 blue train
     5.000  ask 3: p001 wants blue train
> quiet 2
> asks
  1  p001 wants blue train: 1 questions, 1 reached, 0 duplicates, 1 hops, 3 hits. Found: 3 holders, the first after 0.17 s.
  2  p001 wants blue train: 1 questions, 1 reached, 0 duplicates, 1 hops, 0 hits. No answer: the index is colluding, and nobody else knows who has what.
  3  p001 wants blue train: 1 questions, 1 reached, 0 duplicates, 1 hops, 3 hits. Found: 3 holders, the first after 0.17 s.
