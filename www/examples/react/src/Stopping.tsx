// A figure whose λ the lesson's own button changes, and what it tells when it is done.
import type { L2Events, L2LabElement } from "l2-lab";
import { useRef, useState } from "react";

export function Stopping() {
  const lab = useRef<L2LabElement>(null);
  const [lambda, setLambda] = useState([0.2, 0.1, 0.05]);
  const [peaks, setPeaks] = useState<L2Events["l2-peak"][]>([]);
  const [finding, setFinding] = useState<string>();
  const larger = () => {
    setLambda([0.4, 0.2, 0.1]);
    setPeaks([]);
    setFinding(undefined);
  };
  return (
    <>
      <l2-lab
        ref={lab}
        id="clock"
        lambda={lambda}
        lr={0.05}
        wStd={8}
        bias={false}
        seeds={1}
        width={32}
        depth={2}
        tau={5}
        controls="lambda lr"
        onl2-peak={(event) => setPeaks((all) => [...all, event.detail])}
        onl2-done={(event) => setFinding(event.detail.finding)}
      />
      <p>
        <button type="button" onClick={larger}>
          Use twice the λ
        </button>{" "}
        <button type="button" onClick={() => lab.current?.play()}>
          Train
        </button>
      </p>
      <ul id="peaks">
        {peaks.map((peak) => (
          <li key={`${peak.lambda} ${peak.seed}`}>
            λ = {peak.lambda}: step {Math.round(peak.t_star)}
          </li>
        ))}
      </ul>
      <p id="finding">{finding ?? "Not trained yet."}</p>
    </>
  );
}
