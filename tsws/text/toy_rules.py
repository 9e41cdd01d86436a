"""The sentences that many toy stories share; ``toy_grammar.py`` says how a rule is read."""

from __future__ import annotations

RULES = {
    "story": """
        5: {child_story}
        1: {pair_story}
        1: {beast_story}
    """,
    "child_plot": """
        {lost_toy}
        {stuck_high}
        {broken_thing}
        {big_fear}
        {too_many_sweets}
        {hurt_animal}
        {hard_skill}
        {rule_at_home}
        {new_child}
        {a_gift}
        {the_seed}
        {lost_child}
        {the_mess}
        {rainy_day}
        {cooking}
    """,
    "pair_plot": """
        {one_toy_for_two}
        {find_together}
        {the_bet}
        {the_hut}
    """,
    "beast_plot": """
        {small_helps_big}
        {lazy_and_winter}
        {the_race}
        {wants_to_be_other}
        {beast_shares}
    """,
    "opening": """
        6: Once upon a time, there was
        2: Once there was
        1: In a small town, there lived
        1: Long ago, there lived
        1: In a house by the sea lived
        1: Not far from here, there was
    """,
    "size": """
        4: little
        1: young
        1: small
    """,
    "new_hero": """
        {opening} a {size} girl named {hero=girls}.
        {opening} a {size} boy named {hero=boys}.
    """,
    "any_child": """
        {hero=girls}
        {hero=boys}
    """,
    "friend": """
        {pal=girls}
        {pal=boys}
    """,
    "about_hero": """
        {He} loved to {hobbies}.
        {He} liked to {hobbies} with {his} [mom|dad|friends|sister|brother].
        {He} was a very {traits} {hero.kind}.
        {He} was {traits} and {traits}, and everyone liked {him}.
        Every day, {he} would {hobbies}.
        {He} lived with {his} [mom and dad|mom|dad|grandma|grandpa] in a {colors} house.
        {He} had a [dog|cat|rabbit|parrot|pony] named {pet=pet_names}.
    """,
    "one_day": """
        5: One day,
        2: One {weather} {times},
        1: Then one {times},
        1: On a {weather} {times},
        1: One {times} after [lunch|school|breakfast|a nap],
    """,
    "weather_line": """
        The sun was [shining|warm|high in the sky].
        The sky was [blue|grey|full of clouds].
        The wind [blew softly|was strong|played with the leaves].
        The birds were singing.
        It was a {weather} day.
        The air smelled of [flowers|rain|grass|snow].
    """,
    "sad_hero": """
        2: {hero} was [very |so |]{sorry}.
        {hero} felt {sorry} and [began to cry|wanted to cry|sat down].
        A tear ran down {his} cheek.
        {hero} did not know what to do.
        "Oh no!" {hero} [cried|said|shouted].
        "Oh no, oh no!" said {hero}. {He} was {sorry}.
    """,
    "happy_hero": """
        2: {hero} was [very |so |]{glad}.
        {hero} [smiled|laughed|clapped|jumped up and down|danced with joy].
        {hero} had a big smile on {his} face.
        "[Hooray|Yay|Wow|Yes]!" {hero} [cried|said|shouted].
        {hero} felt warm and {glad} inside.
    """,
    "thanks": """
        "Thank you!" said {hero}.
        "Thank you so much," {hero} said[ with a smile|].
        {hero} said, "[Thank you for your help|You are very kind|You saved the day|You are a true friend]!"
        {hero} said thank you [again and again|with all {his} heart|and bowed].
    """,
    "welcome": """
        "You are welcome," said [the {beast}|the kind {beast}].
        "[I am happy to help|That is what friends are for|It was nothing]," said the {beast}.
        The {beast} just [smiled|nodded|winked].
    """,
    "kind_words": """
        "Don't [worry|cry|be sad]," said {his} {elder}. "{comfort}"
        {His} {elder} [hugged|kissed|smiled at] {him} and said, "{comfort}"
        {His} {elder} said [softly|kindly|gently], "{comfort}"
    """,
    "comfort": """
        We will find a way.
        It will be all right.
        I am here with you.
        Everyone feels like that sometimes.
        I love you very much.
    """,
    "home": """
        They went home and had {treats}.
        Then they [walked|ran|went] home [together|hand in hand|before dark].
        That night, {hero} slept well.
        At bedtime, {hero} told [the whole story|all about it] to {his} [teddy|pillow|dad|mom|grandma].
    """,
    "learned": """
        3: {hero} learned that
        1: From that day on, {hero} knew that
        1: Now {hero} knew that
        1: And so {hero} found out that
        1: The moral of the story is that
    """,
    "the_end": """
        3: And they all lived happily ever after.
        2: The end.
        1: It was [the best|a wonderful|a very good|a happy] day.
    """,
}
