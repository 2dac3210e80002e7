// Which questions come first, which are shown as buttons, and the common cases to start from. What the columns mean and
// which codes they have is not said here: that comes from the API.

/** Asked first, in this order. A column that the API does not have is left out; one not named here stands under "more". */
export const FIRST = {
  what: ["accident.agg", "accident.lum", "accident.col", "road.catr", "accident.atm", "accident.int", "road.surf", "road.vma", "road.voie"],
  vehicle: ["catv", "manv", "obs"],
  person: ["catu", "age", "sexe"],
};

/** Codes shown as buttons side by side rather than in a list. */
export const BUTTONS = new Set(["accident.agg", "accident.lum", "accident.col", "people.catu", "people.sexe"]);

/** Always known, so that "not known" is not offered. */
export const SURE = new Set(["people.catu"]);

/** Put in by the page itself, from other fields. */
export const OWN = new Set(["Num_Acc", "id_vehicule", "id_usager", "num_veh", "jour", "mois", "an", "hrmn", "an_nais", "dep", "lat", "long"]);

/** Asked of pedestrians alone, and of those in a vehicle alone. */
export const OF_PEDESTRIANS = new Set(["locp", "actp", "etatp"]);
export const OF_RIDERS = new Set(["place", "secu1", "secu2", "secu3"]);

/** Vehicle categories that most accidents have, first in the list. */
export const OFTEN = ["7", "33", "2", "1", "10", "30", "31", "32", "34", "80", "14", "37", "50"];

/** Speed limits offered for the column `vma`. */
export const OFFERED = { "road.vma": ["20", "30", "50", "70", "80", "90", "110", "130"] };

export const DRIVER = "1";
export const PEDESTRIAN = "3";
const MOPED = 2;
const CAR = 7;
const MOTORCYCLE = 33;

/** What a driver's and a pedestrian's seat is; everybody else is asked. */
export const SEAT = { [DRIVER]: "1", [PEDESTRIAN]: "10" };

/** Common cases. They say nothing of when, where and light: these stay as the operator has them. */
export const PRESETS = [
  {
    title: "Pedestrian hit by a moped",
    accident: { agg: 2, int: 1, col: 6 },
    road: { catr: 4, circ: 2, surf: 1, situ: 1, vma: 50 },
    vehicles: [{ catv: MOPED, obs: 0, obsm: 1, choc: 1, manv: 1, people: [{ catu: 1 }, { catu: 3 }] }],
  },
  {
    title: "Motorcycle against car on a country road",
    accident: { agg: 1, int: 1, col: 1 },
    road: { catr: 3, circ: 2, nbv: 2, surf: 1, situ: 1, vma: 80 },
    vehicles: [
      { catv: MOTORCYCLE, obs: 0, obsm: 2, choc: 1, people: [{ catu: 1 }] },
      { catv: CAR, obs: 0, obsm: 2, choc: 1, people: [{ catu: 1 }] },
    ],
  },
  {
    title: "Rear-end bump in town",
    accident: { agg: 2, int: 1, col: 2 },
    road: { catr: 4, circ: 2, surf: 1, situ: 1, vma: 50 },
    vehicles: [
      { catv: CAR, obs: 0, obsm: 2, choc: 1, manv: 2, people: [{ catu: 1 }] },
      { catv: CAR, obs: 0, obsm: 2, choc: 4, manv: 23, people: [{ catu: 1 }] },
    ],
  },
];
