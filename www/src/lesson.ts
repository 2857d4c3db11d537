import "./element/l2-lab.ts";
