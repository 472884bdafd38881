# In a hash table a record dies with the nodes nearest to its key, and is back when its holders publish it again.

> swarm kademlia peers=40 seed=2 items=20 dht.k=4 dht.publish_s=90
  40 peers, 0 links
> quiet 1
> ask p001 blue train
     1.000  ask 1: p001 wants blue train
> run 3
     1.144  ask 1: p039 has it
     1.144  ask 1: p037 has it
     1.144  ask 1: p021 has it
     1.144  ask 1: p008 has it
     1.152  ask 1 is over. Found: 4 holders, the first after 0.14 s.
> peers keeps "blue train"
  p008 p013 p029 p037
> kill keeps "blue train"
     4.000  kill 4: p008 p013 p029 p037
> ask p003 blue train
     4.000  ask 2: p003 wants blue train
> run 12
     8.012  ask 2 is over. No answer: the 4 nodes nearest to the key, which kept its record, are dead.
> publish p005 open letter
    16.000  ask 3: p005 wants open letter
    16.000  publish 1: p005
> run 3
    18.000  ask 3 is over. Published: stored on 4 of the 4 nodes nearest to its key.
> peers keeps "open letter"
  p020 p022 p032 p036
> ask p009 open letter
    19.000  ask 4: p009 wants open letter
> run 90
    19.104  ask 4: p005 has it
    21.000  ask 4 is over. Found: 1 holder, the first after 0.10 s.
> peers keeps "blue train"
  p004 p020 p022 p032
> ask p003 blue train
   109.000  ask 5: p003 wants blue train
> run 6
   111.020  ask 5: p021 has it
   111.020  ask 5: p039 has it
   113.000  ask 5 is over. Found: 2 holders, the first after 2.02 s.
> asks
  1  p001 wants blue train: 3 questions, 3 reached, 0 duplicates, 1 hops, 4 hits. Found: 4 holders, the first after 0.14 s.
  2  p003 wants blue train: 8 questions, 4 reached, 0 duplicates, 1 hops, 0 hits. No answer: the 4 nodes nearest to the key, which kept its record, are dead.
  3  p005 wants open letter: 6 questions, 5 reached, 0 duplicates, 2 hops, 0 hits. Published: stored on 4 of the 4 nodes nearest to its key.
  4  p009 wants open letter: 3 questions, 2 reached, 0 duplicates, 1 hops, 1 hits. Found: 1 holder, the first after 0.10 s.
  5  p003 wants blue train: 6 questions, 2 reached, 0 duplicates, 1 hops, 2 hits. Found: 2 holders, the first after 2.02 s.
