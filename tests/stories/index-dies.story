# Napster: one list of who has what. While it stands, a question costs one message; without it, nobody finds anything.
# The files are still there, on their owners' machines.

> swarm napster peers=16 seed=3 items=40
  17 peers, 0 links
> run 1
> ask p003 blue train
     1.000  ask 1: p003 wants blue train
> run 2
     1.202  ask 1: p011 has it
     1.202  ask 1: p015 has it
     1.202  ask 1: p012 has it
     1.202  ask 1: p014 has it
> peers role=index
  index
> kill role=index
     3.000  kill 1: index
> run 1
> ask p003 blue train
     4.000  ask 2: p003 wants blue train
> run 12
> peers holds "blue train"
  p011 p012 p014 p015
> revive role=index
    16.000  revive 1: index
> quiet 90
> ask p003 blue train
   106.000  ask 3: p003 wants blue train
> run 3
   106.202  ask 3: p015 has it
   106.202  ask 3: p011 has it
   106.202  ask 3: p014 has it
   106.202  ask 3: p012 has it
   106.422  ask 3 is over. Found: 4 holders, the first after 0.20 s.
> asks
  1  p003 wants blue train: 1 questions, 1 reached, 0 duplicates, 1 hops, 4 hits. 
  2  p003 wants blue train: 1 questions, 1 reached, 0 duplicates, 1 hops, 1 hits. Found: 1 holder, the first after 13.98 s.
  3  p003 wants blue train: 1 questions, 1 reached, 0 duplicates, 1 hops, 4 hits. Found: 4 holders, the first after 0.20 s.
