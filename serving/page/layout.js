// Which fields come first, which are radio buttons, and presets. Meanings and codes of the columns come from the API.

/** First fields, in this order. Columns that the API does not have are left out; all others are in collapsible sections. */
export const FIRST_COLUMNS = {
  what: ["accident.agg", "accident.lum", "accident.col", "road.catr", "accident.atm", "accident.int", "road.surf", "road.vma", "road.voie"],
  vehicle: ["catv", "manv", "obs"],
  person: ["catu", "age", "sexe"],
};

/** Code columns with radio buttons instead of a select box. */
export const RADIO_FIELDS = new Set(["accident.agg", "accident.lum", "accident.col", "people.catu", "people.sexe"]);

/** Fields without the option "not known". */
export const REQUIRED_FIELDS = new Set(["people.catu"]);

/** Columns that the page computes from other fields. */
export const COMPUTED_COLUMNS = new Set(["Num_Acc", "id_vehicule", "id_usager", "num_veh", "jour", "mois", "an", "hrmn", "an_nais", "dep", "lat", "long", "adr"]);

/** Columns of pedestrians only, and of occupants of a vehicle only. */
export const PEDESTRIAN_COLUMNS = new Set(["locp", "actp", "etatp"]);
export const OCCUPANT_COLUMNS = new Set(["place", "secu1", "secu2", "secu3"]);

/** Most frequent vehicle categories, first in the list. */
export const COMMON_CATEGORIES = ["7", "33", "2", "1", "10", "30", "31", "32", "34", "80", "14", "37", "50"];

/** Suggested values of a field. */
export const SUGGESTIONS = { "road.vma": ["20", "30", "50", "70", "80", "90", "110", "130"] };

export const DRIVER = "1";
export const PEDESTRIAN = "3";
const MOPED = 2;
const CAR = 7;
const MOTORCYCLE = 33;

/** Seat by role; other roles have a field for it. */
export const FIXED_SEATS = { [DRIVER]: "1", [PEDESTRIAN]: "10" };

/** Common cases. Time, place and light stay as the operator has set them. */
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
