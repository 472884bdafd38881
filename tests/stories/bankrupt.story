# A fleet hides the death of any machine, and not that of its owner.

> swarm web peers=10 seed=1 servers=3 items=20
  14 peers, 10 links
> peers not role=client
  balancer server1 server2 server3
> ask p001 blue train
     0.000  ask 1: p001 wants blue train
> run 3
     0.285  ask 1: server1 has it
     0.285  ask 1 is over. Found: 1 holder, the first after 0.28 s.
> kill server1
     3.000  kill 1: server1
> ask p002 blue train
     3.000  ask 2: p002 wants blue train
> run 8
     3.317  ask 2: server2 has it
     3.317  ask 2 is over. Found: 1 holder, the first after 0.32 s.
> shutdown acme
    11.000  shutdown 3: balancer server2 server3
> ask p003 blue train
    11.000  ask 3: p003 wants blue train
> run 8
    11.144  balancer refuses p003 a Request
    16.144  balancer refuses p003 a Request
> reopen acme
    19.000  reopen 4: balancer server1 server2 server3
> ask p003 blue train
    19.000  ask 4: p003 wants blue train
> quiet 8
> asks
  1  p001 wants blue train: 2 questions, 2 reached, 0 duplicates, 2 hops, 1 hits. Found: 1 holder, the first after 0.28 s.
  2  p002 wants blue train: 2 questions, 2 reached, 0 duplicates, 2 hops, 1 hits. Found: 1 holder, the first after 0.32 s.
  3  p003 wants blue train: 4 questions, 2 reached, 0 duplicates, 2 hops, 1 hits. Found: 1 holder, the first after 10.31 s.
  4  p003 wants blue train: 2 questions, 2 reached, 0 duplicates, 2 hops, 1 hits. Found: 1 holder, the first after 0.36 s.
