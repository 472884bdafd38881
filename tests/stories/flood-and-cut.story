# Gnutella: nobody to sue. A question goes everywhere within its TTL; killing one who answered leaves the others, and
# only a cut around the asker silences everybody for it.

> swarm gnutella peers=20 seed=5 topology=random:4 items=30
  20 peers, 40 links
> quiet 1
> ask p002 blue train
     1.000  ask 1: p002 wants blue train
> run 3
     1.240  ask 1: p017 has it
     1.314  ask 1: p004 has it
     1.320  ask 1: p015 has it
     1.446  ask 1: p000 has it
> peers holds "blue train"
  p000 p004 p015 p017
> kill p005
     4.000  kill 1: p005
> ask p002 blue train
     4.000  ask 2: p002 wants blue train
> run 2
     4.236  p005 refuses p010 a Query
     4.240  ask 2: p017 has it
     4.314  ask 2: p004 has it
     4.320  ask 2: p015 has it
     4.446  ask 2: p000 has it
     4.446  ask 2 is over. Found: 4 holders, the first after 0.24 s.
> partition p002
     6.000  partition 1: p002
> ask p002 blue train
     6.000  ask 3: p002 wants blue train
> run 5
     6.107  ask 3 is over. No answer: 4 peers hold it; 4 are behind the partition.
> heal
    11.000  heal 1: p002
> ask p002 blue train
    11.000  ask 4: p002 wants blue train
> quiet 5
> asks
  1  p002 wants blue train: 61 questions, 19 reached, 42 duplicates, 4 hops, 4 hits. 
  2  p002 wants blue train: 57 questions, 18 reached, 38 duplicates, 5 hops, 4 hits. Found: 4 holders, the first after 0.24 s.
  3  p002 wants blue train: 5 questions, 0 reached, 0 duplicates, 0 hops, 0 hits. No answer: 4 peers hold it; 4 are behind the partition.
  4  p002 wants blue train: 62 questions, 18 reached, 44 duplicates, 5 hops, 4 hits. Found: 4 holders, the first after 0.16 s.
> lost
  dead 2, partition 7
