import { useId } from "react";

interface FieldProps {
  label: string;
  value: string;
  change: (value: string) => void;
}

export function TextField({ label, value, change, placeholder }: FieldProps & { placeholder?: string }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        value={value}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => change(target.value)}
      />
    </div>
  );
}

/** `choices` are values with the words for them. */
export function Choice({
  label,
  value,
  change,
  choices,
}: FieldProps & { choices: readonly (readonly [string, string])[] }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={({ target }) => change(target.value)}>
        {choices.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Check({ label, checked, change }: { label: string; checked: boolean; change: (on: boolean) => void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} onChange={({ target }) => change(target.checked)} />
      {label}
    </label>
  );
}
