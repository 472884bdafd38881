# A poisoned peer claims to have whatever is asked for. Its decoys verify; the user who opens one notices, and fetches from
# the next. Where nobody has the genuine file, an answer is no use.

> swarm gnutella peers=10 seed=4 topology=complete latency=constant:20 items=10 replicas=1 free_riders=1
  10 peers, 45 links
> publish p003 blue train
     0.000  ask 1: p003 wants blue train
     0.000  publish 1: p003
> poison p001,p002
     0.000  ask 1 is over. Published: it is in the library and whoever asks may find it.
     0.000  poison 2: p001 p002
> peers state=poisoned
  p001 p002
> peers holds "blue train"
  p003
> ask p000 blue train
     0.000  ask 2: p000 wants blue train
> run 400
     0.040  ask 2: p001 has it
     0.040  ask 2: p002 has it
     0.040  ask 2: p003 has it
    12.655  p000 notes: decoy
    12.655  p000 notes: another holder
   333.515  p000 notes: decoy
   333.515  p000 notes: another holder
   339.118  p000 notes: fetched
   339.118  ask 2 is over. Found at p001, p002 and p003; p001 and p002 served decoys, p003 the genuine file.
> ask p005 night owl
   400.000  ask 3: p005 wants night owl
> run 400
   400.040  ask 3: p001 has it
   400.040  ask 3: p002 has it
   423.336  p005 notes: decoy
   423.336  p005 notes: another holder
> cure all
   800.000  cure 2: p001 p002
> ask p006 night owl
   800.000  ask 4: p006 wants night owl
> run 30
   800.040  ask 4 is over. No answer: no peer holds "night owl".
   827.256  p005 notes: failed
   827.256  ask 3 is over. Found at p001 and p002; p001 served a decoy, nobody the genuine file.
> asks
  1  p003 wants blue train: 0 questions, 0 reached, 0 duplicates, 0 hops, 0 hits. Published: it is in the library and whoever asks may find it.
  2  p000 wants blue train: 81 questions, 9 reached, 72 duplicates, 1 hops, 3 hits. Found at p001, p002 and p003; p001 and p002 served decoys, p003 the genuine file.
  3  p005 wants night owl: 81 questions, 9 reached, 72 duplicates, 1 hops, 2 hits. Found at p001 and p002; p001 served a decoy, nobody the genuine file.
  4  p006 wants night owl: 81 questions, 9 reached, 72 duplicates, 1 hops, 0 hits. No answer: no peer holds "night owl".
